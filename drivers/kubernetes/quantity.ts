/** Kubernetes quantities, as far as profiles use them. */

const FACTORS: Record<string, number> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

export const MEBIBYTE = 2 ** 20;

/** `512Mi` as bytes, rounded up. Throws RangeError on what is not a quantity. */
export function quantityBytes(quantity: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|k|M|G)?$/.exec(quantity) ?? [];
  const factor = FACTORS[unit ?? ''];
  if (number === undefined || factor === undefined) throw new RangeError(`${quantity} is not a quantity`);
  return Math.ceil(Number(number) * factor);
}

/** Bytes as a quantity that people can read: whole mebibytes, rounded up. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE)}Mi`;
}
