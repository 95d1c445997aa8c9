import { storeTimes } from './index.ts';

/** The metadata plugin that the demo deploys. */
export default storeTimes();
