/** RFC 3339 with exactly six fractional digits, as the API's MicroTime must have. @param time milliseconds since 1970 */
export function microTime(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}
