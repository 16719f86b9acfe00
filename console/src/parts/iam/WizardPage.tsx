import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import ContentLayout from "@cloudscape-design/components/content-layout";
import { useEffect, type ReactNode } from "react";
import { useHref, useNavigate } from "react-router";
import { strings } from "../../strings";
import type { Crumb } from "../Page";

interface Props {
  title: string;
  crumbs: Crumb[];
  children: ReactNode;
}

/** A page with a wizard, whose steps have the page's h1 and take the focus. */
export function WizardPage({ title, crumbs, children }: Props) {
  const base = useHref("/").replace(/\/$/, "");
  const navigate = useNavigate();
  useEffect(() => {
    document.title = strings.frame.title(title);
  }, [title]);
  return (
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
      {children}
    </ContentLayout>
  );
}
