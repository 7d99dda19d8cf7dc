import { doctorCommand } from './doctor/command.ts';
import type { Area, Command } from './frame/command.ts';
import { stackArea } from './stack/area.ts';
import { telemetryArea } from './telemetry/area.ts';

/** Every command, in the order of `keelson --help`. A new area adds its line here. */
export const CATALOG: readonly (Area | Command)[] = [telemetryArea, stackArea, doctorCommand];
