import { join } from 'node:path';
import type { Output } from '../frame/output.ts';
import { tableLines } from '../frame/table.ts';
import { portFor } from './published-ports.ts';
import type { PublishedPort } from './published-ports.ts';
import type { StackContainer, StackProject } from './stack-project.ts';
import { GRAFANA_PASSWORD } from './stack-secrets.ts';

/** Names of what the stack offers, with the port inside of its container. */
const OFFERS = {
  grafana: 3000,
  jaeger: 16_686,
  prometheus: 9090,
  alertmanager: 9093,
  otlpHttp: 4318,
  otlpGrpc: 4317,
} as const;

/** What is said of the stack. */
export interface StackReport {
  readonly project: string;
  readonly files: string;
  readonly healthy: boolean;
  readonly services: readonly StackContainer[];
  readonly addresses: Readonly<Record<keyof typeof OFFERS, string>>;
  readonly grafanaPasswordFile: string;
}

/** @returns what is said of a stack in this state */
export function reportOn(
  stack: StackProject,
  project: string,
  ports: readonly PublishedPort[],
  services: readonly StackContainer[],
): StackReport {
  const addressOf = (target: number): string => {
    const { address, port } = portFor(ports, target);
    const host = address.includes(':') ? `[${address}]` : address;
    return `http://${host}:${port}`;
  };
  const addresses = Object.fromEntries(
    Object.entries(OFFERS).map(([name, target]) => [name, addressOf(target)]),
  ) as Record<keyof typeof OFFERS, string>;
  return {
    project,
    files: stack.folder,
    healthy: services.length > 0 && services.every(({ well }) => well),
    services,
    addresses,
    grafanaPasswordFile: join(stack.secrets, GRAFANA_PASSWORD),
  };
}

/** @returns the lines that a person reads */
export function reportLines(output: Output, report: StackReport): readonly string[] {
  const { addresses, services } = report;
  const health = (container: StackContainer): string => {
    const text = container.health === '' ? container.state : container.health;
    return container.well ? text : output.style('red', text);
  };
  return [
    ...tableLines(
      [
        { title: 'SERVICE', value: ({ service }) => service },
        { title: 'STATE', value: health },
      ],
      services,
      (titles) => output.style('bold', titles),
    ),
    '',
    `Grafana       ${addresses.grafana}  user admin, password in ${report.grafanaPasswordFile}`,
    `Jaeger        ${addresses.jaeger}`,
    `Prometheus    ${addresses.prometheus}`,
    `Alertmanager  ${addresses.alertmanager}`,
    `OTLP          ${addresses.otlpHttp} (HTTP), ${addresses.otlpGrpc} (gRPC)`,
  ];
}
