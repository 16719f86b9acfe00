import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { accounts, units, type Node } from "../../api/organizations";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { AddAccount } from "./AddAccount";
import { AddUnit } from "./AddUnit";
import { MoveAccount } from "./MoveAccount";

interface Props {
  root: Node;
  selected: string;
  onSelect: (node: Node) => void;
}

/** The tree of units and accounts. What is in a unit is read when it is opened. */
export function Tree({ root, selected, onSelect }: Props) {
  const text = strings.organization;
  const [dialog, setDialog] = useState<"unit" | "account" | "move">();
  const close = () => setDialog(undefined);
  const parent = selected.startsWith("ou-") || selected.startsWith("r-") ? selected : root.id;
  return (
    <Container
      header={
        <Header
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {/^[0-9]{12}$/.test(selected) ? <Button onClick={() => setDialog("move")}>{text.move}</Button> : null}
              <Button onClick={() => setDialog("account")}>{text.addAccount}</Button>
              <Button onClick={() => setDialog("unit")}>{text.addUnit}</Button>
            </SpaceBetween>
          }
        >
          {text.tree}
        </Header>
      }
    >
      <ul aria-label={text.tree}>
        <Branch node={root} selected={selected} onSelect={onSelect} isOpenAtFirst />
      </ul>
      {dialog === "unit" ? <AddUnit parent={parent} onClose={close} /> : null}
      {dialog === "account" ? <AddAccount onClose={close} /> : null}
      {dialog === "move" ? <MoveAccount root={root} account={selected} onClose={close} /> : null}
    </Container>
  );
}

interface BranchProps {
  node: Node;
  selected: string;
  onSelect: (node: Node) => void;
  isOpenAtFirst?: boolean;
}

function Branch({ node, selected, onSelect, isOpenAtFirst = false }: BranchProps) {
  const text = strings.organization;
  const [isOpen, setIsOpen] = useState(isOpenAtFirst);
  const isSelected = node.id === selected;
  return (
    <li style={{ paddingBlock: "6px" }}>
      <SpaceBetween direction="horizontal" size="m" alignItems="center">
        {node.kind === "account" ? null : (
          <Button
            variant="inline-icon"
            iconName={isOpen ? "treeview-collapse" : "treeview-expand"}
            ariaExpanded={isOpen}
            ariaLabel={`${isOpen ? text.collapse : text.expand}: ${node.name}`}
            onClick={() => setIsOpen(!isOpen)}
          />
        )}
        <Button variant="inline-link" ariaLabel={text.select(node.name)} onClick={() => onSelect(node)}>
          {node.name}
        </Button>
        <Box variant="small">
          {text[node.kind]} {node.id}
        </Box>
        {isSelected ? <StatusIndicator type="success">{text.policy}</StatusIndicator> : null}
        {node.state === undefined || node.state === "ACTIVE" ? null : <Box variant="small">{node.state}</Box>}
      </SpaceBetween>
      {isOpen ? <Children parent={node.id} selected={selected} onSelect={onSelect} /> : null}
    </li>
  );
}

interface ChildrenProps {
  parent: string;
  selected: string;
  onSelect: (node: Node) => void;
}

function Children({ parent, selected, onSelect }: ChildrenProps) {
  const text = strings.organization;
  const ofUnits = usePages(["organization", "units", parent], (next) => units(parent, next));
  const ofAccounts = usePages(["organization", "accounts", parent], (next) => accounts(parent, next));
  const lists = [ofUnits, ofAccounts];
  const nodes = lists.flatMap((list) => list.data?.pages.flatMap((page) => page.items) ?? []);
  const isPending = lists.some((list) => list.isPending);
  return (
    <>
      {lists.map((list, at) => (list.error === null ? null : <Failure key={at} error={list.error} />))}
      {nodes.length === 0 && !isPending ? <Box variant="small">{text.empty}</Box> : null}
      <ul>
        {nodes.map((node) => (
          <Branch key={node.id} node={node} selected={selected} onSelect={onSelect} />
        ))}
      </ul>
      {lists.some((list) => list.hasNextPage) ? (
        <Button
          variant="link"
          onClick={() => lists.filter((list) => list.hasNextPage).forEach((list) => void list.fetchNextPage())}
        >
          {text.more}
        </Button>
      ) : null}
    </>
  );
}

function usePages(queryKey: string[], load: (next: string | undefined) => ReturnType<typeof units>) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
  });
}
