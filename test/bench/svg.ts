export function drawRows(_rows: unknown, _folder: string): void {}
