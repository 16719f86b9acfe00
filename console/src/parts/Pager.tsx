import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { strings } from "../strings";
import type { Paging } from "./useUrlState";

interface Props {
  paging: Paging;
  nextToken: string | undefined;
}

/** Buttons for the pages of a list that the server pages by tokens. */
export function Pager({ paging, nextToken }: Props) {
  const text = strings.frame.pager;
  return (
    <SpaceBetween size="xs" direction="horizontal">
      <Button
        variant="icon"
        iconName="angle-left"
        ariaLabel={text.previous}
        disabled={!paging.hasPrevious}
        onClick={paging.previous}
      />
      <Button
        variant="icon"
        iconName="angle-right"
        ariaLabel={text.next}
        disabled={nextToken === undefined}
        onClick={() => nextToken !== undefined && paging.next(nextToken)}
      />
    </SpaceBetween>
  );
}
