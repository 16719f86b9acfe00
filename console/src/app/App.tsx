import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import Spinner from "@cloudscape-design/components/spinner";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { RouterProvider } from "react-router";
import { restoreSession, sessionGeneration, useSessionState } from "../api/current";
import { mayRetry } from "../lib/failure";
import SignIn from "../screens/sign-in";
import { RoleChoice } from "../screens/sign-in/RoleChoice";
import { isChoosingRole } from "../screens/sign-in/failedReturn";
import { strings } from "../strings";
import { createRouter } from "./router";

/** The sign-in page for those who are not signed in, at whatever address; the frame for those who are. */
export function App() {
  return (
    <I18nProvider locale="en" messages={[messages]}>
      {isChoosingRole ? <RoleChoice /> : <Entrance />}
    </I18nProvider>
  );
}

function Entrance() {
  const state = useSessionState();
  const [failure, setFailure] = useState<unknown>();
  useEffect(() => {
    restoreSession().catch(setFailure);
  }, []);
  switch (state.status) {
    case "signed-in":
      return <SignedIn key={sessionGeneration()} />;
    case "unknown":
      return failure === undefined ? (
        <div role="status" aria-label={strings.frame.loading}>
          <Spinner size="large" />
        </div>
      ) : (
        <SignIn failure={failure} />
      );
    default:
      return <SignIn ended={state.status === "ended"} />;
  }
}

/** Made anew for each session, so that nothing that one person loaded is shown to the next. */
function SignedIn() {
  const [queries] = useState(
    () =>
      new QueryClient({
        defaultOptions: {
          queries: {
            retry: (count, error) => count < 2 && mayRetry(error),
            staleTime: 15_000,
            // Pages of long lists are forgotten soon.
            gcTime: 60_000,
          },
        },
      }),
  );
  const [router] = useState(createRouter);
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
