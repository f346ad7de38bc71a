import { googleAnalytics } from './google-analytics/index.ts';
import type { ServiceModule } from './service.ts';
import { youtube } from './youtube/index.ts';

/** Every service of reports: adding one is a folder beside these and a line here (docs/adding-a-service.md). */
export const services: readonly ServiceModule[] = [googleAnalytics, youtube];
