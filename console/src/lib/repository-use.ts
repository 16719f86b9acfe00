/** When a repository was last pushed to and pulled from, as far as its images were read. */

export interface RepositoryUse {
  name: string;
  lastPush: Date | undefined;
  lastPull: Date | undefined;
  hasImages: boolean;
  /** Whether there are images that were not looked at. */
  isPartial: boolean;
}

interface Times {
  imagePushedAt?: Date | undefined;
  lastRecordedPullTime?: Date | undefined;
}

const latest = (times: (Date | undefined)[]): Date | undefined =>
  times.reduce((last, time) => (time !== undefined && (last === undefined || time > last) ? time : last), undefined);

export const lastTimes = (name: string, images: Times[], isPartial: boolean): RepositoryUse => ({
  name,
  lastPush: latest(images.map((image) => image.imagePushedAt)),
  lastPull: latest(images.map((image) => image.lastRecordedPullTime)),
  hasImages: images.length > 0,
  isPartial,
});
