/**
 * Does this Node.js misread keys of JSON? That of 23, 25 and of 24 before 24.22 does, by a defect of V8: after an object
 * with a key in which a backslash stands, another key of the same place that needs an escape there is taken for it. A
 * file name `"` may be read as `\` (docs/reliability.md, "Node.js").
 */
export function misreadsKeys(): boolean {
  JSON.parse('{"first":0,"\\\\":0}');
  return !Object.hasOwn(JSON.parse('{"first":0,"\\"":0}'), '"');
}
