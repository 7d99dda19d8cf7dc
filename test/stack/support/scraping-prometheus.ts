import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { program } from './backends.ts';
import { Child, freePorts } from './child.ts';
import { isUp, until } from './poll.ts';

const START_MS = 30_000;

/** A second Prometheus, which scrapes one service: the other way of the same metrics. The shipped one takes them as OTLP only. */
export class ScrapingPrometheus {
  readonly url: string;
  readonly #child: Child;

  private constructor(url: string, child: Child) {
    this.url = url;
    this.#child = child;
  }

  /**
   * @param folder for its configuration and data
   * @param target host and port to scrape
   * @returns it, once it is ready
   */
  static async start(folder: string, target: string): Promise<ScrapingPrometheus> {
    const [port = 0] = await freePorts(1);
    const config = join(folder, 'scraping.yml');
    const data = join(folder, 'scraping');
    mkdirSync(data);
    writeFileSync(
      config,
      stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [{ job_name: 'scraped', static_configs: [{ targets: [target] }] }],
      }),
    );
    const child = new Child(
      'scraping prometheus',
      program('prometheus'),
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
      ],
      folder,
    );
    const prometheus = new ScrapingPrometheus(`http://127.0.0.1:${port}`, child);
    await until(
      'the scraping Prometheus',
      async () => {
        child.assertRunning();
        return isUp(`${prometheus.url}/-/ready`);
      },
      START_MS,
    );
    return prometheus;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
