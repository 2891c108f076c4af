import { DriverError } from './errors.ts';

/**
 * Opens a source or destination with the driver for its URL's scheme. Throws DriverError config.invalid
 * naming the schemes that there are.
 */
export function openByScheme<Port, Places>(
  side: 'source' | 'destination',
  drivers: Readonly<Record<string, (url: string, places: Places) => Port>>,
  url: string,
  places: Places,
): Port {
  const scheme = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\//.exec(url)?.groups?.scheme;
  const open = scheme !== undefined && Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined;
  if (open) return open(url, places);
  const known = Object.keys(drivers).map((each) => `${each}://`);
  const message = `The ${side} is a URL that begins with ${known.join(' or ')}; this one does not`;
  throw new DriverError('config.invalid', message, { retryable: false });
}
