const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Bytes in crypt(3)'s own base64: three bytes at a time, taken in the order that a scheme prescribes, the lowest six
 * bits first. An index of -1 stands for a zero byte; a group with some of them gives fewer characters.
 */
export function crypt64(bytes: Uint8Array, order: readonly (readonly [number, number, number])[]): string {
  return order
    .map((group) => {
      let value = group.reduce((sum, index) => sum * 256 + (bytes[index] ?? 0), 0);
      const missing = group.filter((index) => index < 0).length;
      return Array.from({ length: 4 - missing }, () => {
        const character = alphabet[value % 64] ?? '';
        value = Math.floor(value / 64);
        return character;
      }).join('');
    })
    .join('');
}
