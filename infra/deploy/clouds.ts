import type { Cloud } from './cloud.ts';
import type { CloudTarget, Project } from './project.ts';

/** What clouds are opened with. */
export interface CloudSettings {
  readonly project: Project;
  readonly stage: string;
  /** JWKS of the adapters that may call, as text: what PLUGIN_CALLERS of every function is. */
  readonly callers: string | undefined;
  /** Of this process; credentials are in it. */
  readonly env: NodeJS.ProcessEnv;
}

/** Opens each cloud when it is first needed, and once. */
export function openClouds(settings: CloudSettings): (target: CloudTarget) => Promise<Cloud> {
  const open = new Map<CloudTarget, Promise<Cloud>>();
  return async (target) => {
    const cloud = open.get(target) ?? openers[target](settings);
    open.set(target, cloud);
    return await cloud;
  };
}

const openers: Readonly<Record<CloudTarget, (settings: CloudSettings) => Promise<Cloud>>> = {
  async lambda({ project: { folder }, stage, ...settings }) {
    const { openLambdaCloud } = await import('./lambda/index.ts');
    return openLambdaCloud({ folder, stage, env: environmentOf(settings) });
  },
  async worker({ project: { folder }, ...settings }) {
    const { workerCloud } = await import('./worker/index.ts');
    return workerCloud({ folder, environment: environmentOf(settings) });
  },
};

function environmentOf({ env, callers }: Pick<CloudSettings, 'env' | 'callers'>): NodeJS.ProcessEnv {
  return callers === undefined ? env : { ...env, PLUGIN_CALLERS: callers };
}
