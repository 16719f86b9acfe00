import Button from "@cloudscape-design/components/button";
import { useRouteError } from "react-router";
import { Failure } from "../parts/Failure";
import { Page } from "../parts/Page";
import { strings } from "../strings";

/** A screen that threw, or whose code could not be loaded because the server has another version now. */
export function PageFailure() {
  const error = useRouteError();
  return (
    <Page title={strings.frame.failure.crashed}>
      <Failure error={error} />
      <Button onClick={() => window.location.reload()}>{strings.frame.failure.reload}</Button>
    </Page>
  );
}
