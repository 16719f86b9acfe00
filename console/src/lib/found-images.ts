/** Results of a search as the top bar offers them. */

export interface Result {
  matchType: "REPOSITORY" | "TAG" | "DIGEST" | "ANNOTATION" | "LABEL" | "IMAGE";
  repositoryName: string;
  imageDigest?: string;
  imageTag?: string;
  matchedText?: string;
}

export interface Offered {
  repositoryName: string;
  imageDigest: string;
  label: string;
  description: string | undefined;
}

/** The images among the results; repositories are found by the list of names already. */
export function foundImages(results: Result[]): Offered[] {
  return results.flatMap(({ repositoryName, imageDigest, imageTag, matchedText }) =>
    imageDigest === undefined
      ? []
      : [
          {
            repositoryName,
            imageDigest,
            label: imageTag === undefined ? `${repositoryName}@${imageDigest.slice(0, 19)}` : `${repositoryName}:${imageTag}`,
            description: matchedText,
          },
        ],
  );
}
