/** Backends that `keelson doctor --skip` can leave out. */
export const SKIPPABLE = ['jaeger', 'prometheus', 'alertmanager'] as const;

/** One of {@link SKIPPABLE}. */
export type Skippable = (typeof SKIPPABLE)[number];
