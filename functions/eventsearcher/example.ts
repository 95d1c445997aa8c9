import { searchEvents } from './index.ts';

/** The eventsearcher that the demo deploys. */
export default searchEvents();
