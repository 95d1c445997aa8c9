import { notifier } from '../../../functions/kit/index.ts';
import { misbehave } from './misbehave.ts';

/** Takes every event. */
export default notifier<object>({
  fsEvent: ({ username }) => misbehave(username),
});
