/** Keys of the cached answers. */

export const accountSettingKey = (name: string) => ["registry", "setting", name];
export const REGISTRY_POLICY = ["registry", "policy"];
export const SCANNING = ["registry", "scanning"];
export const EXCLUSIONS = ["registry", "exclusions"];
export const READ_ONLY = ["registry", "read-only"];
