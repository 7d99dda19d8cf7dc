import type { Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { PROJECT, StackProject } from './stack-project.ts';
import { reportLines, reportOn } from './stack-report.ts';

/** What `keelson stack status` takes. */
export interface StatusInput {
  readonly home: string | undefined;
}

/** `keelson stack status`. */
export const status: Run<StatusInput> = async ({ output, ...context }, input) => {
  const stack = new StackProject(context, input.home);
  await stack.docker.assertUsable();
  await stack.assertOwn();
  const compose = stack.isPrepared ? await stack.resolved() : { services: {} };
  const services = stack.isPrepared ? await stack.containers(compose) : [];
  if (services.length === 0) {
    await output.answer({ project: PROJECT, files: stack.folder, healthy: false, services: [] }, () => [
      `The stack of ${stack.home.path} does not run. keelson stack up starts it.`,
    ]);
    return EXIT.unwell;
  }
  const report = reportOn(stack, PROJECT, stack.ports(compose), services);
  await output.answer(report, () => reportLines(output, report));
  return report.healthy ? EXIT.ok : EXIT.unwell;
};
