import { InvalidArgumentError } from 'commander';

/** For an argument that is a digest or fingerprint in full: no pattern, and no part of one. */
export function hexDigits(count: number): (text: string) => string {
  return (text) => {
    if (new RegExp(`^[0-9a-f]{${count}}$`).test(text)) return text;
    throw new InvalidArgumentError(`It must be ${count} hex digits in lower case.`);
  };
}
