import { storeEvents } from './index.ts';

/** The notifier that the demo deploys. */
export default storeEvents({ retentionDays: 90 });
