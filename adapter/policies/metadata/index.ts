import type { Policy } from '../../shapes.ts';
import { breaker } from '../shared/breaker.ts';
import { deadline } from '../shared/deadline.ts';
import { limit } from '../shared/limit.ts';
import { retry } from '../shared/retry.ts';
import type { PolicyTools } from '../tools.ts';
import type { MetadataSection } from './config.ts';
import { folderPage } from './folder-page.ts';

/** The policies of metadata, outermost first. Nothing is remembered: another node may have set a newer time. */
export function metadataPolicies(_section: MetadataSection, tools?: PolicyTools): readonly Policy[] {
  return [breaker({ tools }), limit(), deadline(), retry({ tools }), folderPage()];
}
