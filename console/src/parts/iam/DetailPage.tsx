import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs, { type KeyValuePairsProps } from "@cloudscape-design/components/key-value-pairs";
import Tabs from "@cloudscape-design/components/tabs";
import type { QueryKey } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useNavigate } from "react-router";
import type { Plan } from "../../lib/cleanup/plan";
import { strings } from "../../strings";
import { CleanUp } from "../cleanup/CleanUp";
import { Failure } from "../Failure";
import { Page, type Crumb } from "../Page";
import { useTab } from "./useTab";

interface Tab {
  id: string;
  label: string;
  /** Made when the tab is open. */
  content: () => ReactNode;
}

interface Props {
  name: string;
  /** The list that it stands in. */
  list: Crumb;
  /** The query of the thing itself. */
  found?: { error: unknown; refetch: () => unknown };
  /** What it is: pairs of a name and a value, or a panel of the screen's own. */
  summary?: KeyValuePairsProps.Item[] | ReactNode;
  columns?: number;
  tabs?: Tab[];
  /** What has to be removed with it, or `undefined` for what cannot be deleted. */
  plan: (() => Promise<Plan>) | undefined;
  /** Queries whose answers are stale once it is deleted. */
  stale: QueryKey[];
  actions?: ReactNode;
  children?: ReactNode;
}

const NO_TABS: Tab[] = [];

const arePairs = (summary: Props["summary"]): summary is KeyValuePairsProps.Item[] => Array.isArray(summary);

/** A page of one thing: what it is, its tabs, and its removal with all that depends on it. */
export function DetailPage(props: Props) {
  const { name, list, found, summary, columns = 3, tabs = NO_TABS, plan, stale, actions, children } = props;
  const navigate = useNavigate();
  const [open, setTab] = useTab(tabs.map(({ id }) => id));
  const [isDeleting, setIsDeleting] = useState(false);
  const error = found?.error ?? null;
  return (
    <Page
      title={name}
      crumbs={[list]}
      actions={
        <>
          {actions}
          {plan === undefined ? null : <Button onClick={() => setIsDeleting(true)}>{strings.iam.delete}</Button>}
        </>
      }
    >
      {error !== null ? (
        <Failure error={error} retry={() => void found?.refetch()} />
      ) : arePairs(summary) ? (
        <Container>
          <KeyValuePairs columns={columns} items={summary} />
        </Container>
      ) : (
        summary
      )}
      {tabs.length === 0 ? null : (
        <Tabs
          activeTabId={open}
          onChange={(event) => setTab(event.detail.activeTabId)}
          tabs={tabs.map(({ id, label, content }) => ({ id, label, content: id === open ? content() : null }))}
        />
      )}
      {children}
      {isDeleting && plan !== undefined ? (
        <CleanUp
          name={name}
          plan={plan}
          stale={stale}
          onClose={() => setIsDeleting(false)}
          onDone={() => void navigate(list.to)}
        />
      ) : null}
    </Page>
  );
}
