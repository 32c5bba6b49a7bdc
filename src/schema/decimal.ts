/** Whether a number is a multiple of another one, as they are written: 0.3 is one of 0.1. */
export function isMultiple(value: number, of: number): boolean {
  const [digits, exponent] = decimal(value);
  const [ofDigits, ofExponent] = decimal(of);
  const lowest = Math.min(exponent, ofExponent);
  return (digits * 10n ** BigInt(exponent - lowest)) % (ofDigits * 10n ** BigInt(ofExponent - lowest)) === 0n;
}

/** An integer, and the power of ten by which it is multiplied. */
function decimal(value: number): readonly [digits: bigint, exponent: number] {
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return [BigInt(whole + fraction), Number(power) - fraction.length];
}
