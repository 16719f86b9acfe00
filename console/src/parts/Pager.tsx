import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useRef } from "react";
import { strings } from "../strings";
import type { Paging } from "./useUrlState";

interface Props {
  paging: Paging;
  nextToken: string | undefined;
  /** Whether the page is still read: what is shown is the page before, whose token is not the next one. */
  isLoading: boolean;
}

/** Buttons for the pages of a list that the server pages by tokens. */
export function Pager({ paging, nextToken, isLoading }: Props) {
  const text = strings.frame.pager;
  // A second press before the page is another one would lead two pages on, or out of the list.
  const isPressed = useRef(false);
  useEffect(() => {
    isPressed.current = false;
  }, [paging.token]);
  const once = (go: () => void) => {
    if (isPressed.current) return;
    isPressed.current = true;
    go();
  };
  return (
    <SpaceBetween size="xs" direction="horizontal">
      <Button
        variant="icon"
        iconName="angle-left"
        ariaLabel={text.previous}
        disabled={!paging.hasPrevious}
        onClick={() => once(paging.previous)}
      />
      <Button
        variant="icon"
        iconName="angle-right"
        ariaLabel={text.next}
        // Not disabled while it loads: the focus would be lost.
        loading={isLoading}
        loadingText={strings.frame.loading}
        disabled={nextToken === undefined}
        onClick={() => {
          if (nextToken !== undefined) once(() => paging.next(nextToken));
        }}
      />
    </SpaceBetween>
  );
}
