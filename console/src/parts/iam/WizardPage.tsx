import Box from "@cloudscape-design/components/box";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import ContentLayout from "@cloudscape-design/components/content-layout";
import { useEffect, useRef, type ReactNode } from "react";
import { useHref, useNavigate } from "react-router";
import { strings } from "../../strings";
import type { Crumb } from "../Page";

interface Props {
  title: string;
  crumbs: Crumb[];
  actions?: ReactNode;
  children: ReactNode;
}

/** A page with a wizard, whose steps have the page's h1 and take the focus. */
export function WizardPage({ title, crumbs, actions, children }: Props) {
  const base = useHref("/").replace(/\/$/, "");
  const navigate = useNavigate();
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    document.title = strings.frame.title(title);
    // The wizard moves the focus from step to step, but not to the first one.
    const heading = frame.current?.querySelector("h1");
    if (heading == null) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [title]);
  return (
    <div ref={frame}>
      <ContentLayout
        breadcrumbs={
          <BreadcrumbGroup
            ariaLabel={strings.frame.regions.breadcrumbs}
            items={[...crumbs, { text: title, to: "" }].map(({ text, to }) => ({ text, href: `${base}${to}` }))}
            onFollow={(event) => {
              event.preventDefault();
              void navigate(event.detail.href.slice(base.length));
            }}
          />
        }
      >
        {actions === undefined ? null : <Box textAlign="right">{actions}</Box>}
        {children}
      </ContentLayout>
    </div>
  );
}
