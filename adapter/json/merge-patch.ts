import { isObject, type Json, type JsonObject } from './tree.ts';

/**
 * Applies a JSON Merge Patch (RFC 7396 §2): objects are merged, `null` removes a member, everything else replaces.
 * Returns a new tree; numbers of `target` keep their text.
 */
export function mergePatch(target: Json | undefined, patch: JsonObject): JsonObject {
  const merged = new Map<string, Json>(isObject(target) ? target : []);
  for (const [key, value] of patch) {
    if (value === null) merged.delete(key);
    else merged.set(key, isObject(value) ? mergePatch(merged.get(key), value) : value);
  }
  return merged;
}
