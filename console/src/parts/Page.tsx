import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import { useEffect, useRef, type ReactNode } from "react";
import { useHref, useNavigate } from "react-router";
import { strings } from "../strings";

/** With a gap between all of them, whatever fragments they come in. */
const ONE_BELOW_THE_OTHER = { display: "grid", gridTemplateColumns: "minmax(0, 1fr)", rowGap: 20 } as const;

export interface Crumb {
  text: string;
  /** A path of the console, without `/console`. */
  to: string;
}

interface Props {
  title: string;
  description?: ReactNode;
  /** The pages above this one. */
  crumbs?: Crumb[];
  actions?: ReactNode;
  children: ReactNode;
}

/** A screen's page: its title in the browser and as the only h1, which takes the focus when the page is new. */
export function Page({ title, description, crumbs = [], actions, children }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const base = useHref("/");
  const navigate = useNavigate();
  useEffect(() => {
    document.title = strings.frame.title(title);
    const heading = frame.current?.querySelector("h1");
    if (heading == null) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [title]);
  const prefix = base.replace(/\/$/, "");
  return (
    <div ref={frame}>
      <ContentLayout
        breadcrumbs={
          crumbs.length === 0 ? undefined : (
            <BreadcrumbGroup
              ariaLabel={strings.frame.regions.breadcrumbs}
              items={[...crumbs, { text: title, to: "" }].map(({ text, to }) => ({ text, href: `${prefix}${to}` }))}
              onFollow={(event) => {
                event.preventDefault();
                void navigate(event.detail.href.slice(prefix.length));
              }}
            />
          )
        }
        header={
          <Header variant="h1" description={description} actions={actions}>
            {title}
          </Header>
        }
      >
        <div style={ONE_BELOW_THE_OTHER}>{children}</div>
      </ContentLayout>
    </div>
  );
}
