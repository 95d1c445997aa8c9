import { PluginError } from '../../../proto/error.ts';
import type { Packaged } from './osls.ts';
import type { PlannedFunction } from './template.ts';

/**
 * Each function has its own key. The seal of a lock refuses a key under two functions, but only after the stack was
 * deployed: here it is seen in the template, whether the other function is being deployed or not.
 *
 * @throws PluginError CONFIG_INVALID naming both functions and the parameter
 */
export function checkOwnKey({ resources }: Packaged, planned: PlannedFunction): void {
  for (const { Type, Properties } of Object.values(resources)) {
    const name = Properties?.['FunctionName'];
    const variables = Object(Object(Properties?.['Environment'])['Variables']);
    if (Type !== 'AWS::Lambda::Function' || name === planned.functionName) continue;
    if (variables['PLUGIN_KEY_PARAMETER'] !== planned.keyParameter) continue;
    throw new PluginError('CONFIG_INVALID', {
      happened: `serverless.yml: ${planned.functionName} and ${name} have one PLUGIN_KEY_PARAMETER, ${planned.keyParameter}`,
      expected: 'a key for each function: with a common one each could answer for the other',
      remedy: 'Name another parameter for one of them, and in its role.',
    });
  }
}
