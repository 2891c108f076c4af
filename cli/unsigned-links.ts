import type { LinkSigner } from '../drivers/ports.ts';

/** The command line reads destinations and never hands out links to them. */
export const unsignedLinks: LinkSigner = {
  sign: () => {
    throw new Error('The command line signs no links.');
  },
};
