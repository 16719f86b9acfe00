/** The `berth` service, for which there is no SDK. */

import { jsonService, ServiceError } from "./json-service";

export { ServiceError as BerthError };

/** Calls an operation of the service. */
export const berth = jsonService("berth", "Berth_20261201");
