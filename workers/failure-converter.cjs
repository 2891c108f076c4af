/**
 * Messages and stack traces of failures as payloads, so that the codec seals them too. Temporal loads this file by its
 * path, into the workflows' bundle and with require(): hence CommonJS.
 */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
