import { Suspense } from "react";
import { createBrowserRouter } from "react-router";
import { NotFound } from "./NotFound";
import { Frame } from "./Frame";
import { Loading } from "./Loading";
import { PageFailure } from "./PageFailure";
import { SCREENS } from "./screens";

export function createRouter() {
  const screens = SCREENS.map(({ path, element: Element }) => ({
    path,
    errorElement: <PageFailure />,
    element: (
      <Suspense fallback={<Loading />}>
        <Element />
      </Suspense>
    ),
  }));
  return createBrowserRouter([{ element: <Frame />, children: [...screens, { path: "*", element: <NotFound /> }] }], {
    basename: "/console",
  });
}
