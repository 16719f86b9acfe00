import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { SCREENS } from "../../app/screens";
import { LinkTo } from "../../parts/LinkTo";
import { repositoryPath } from "../../lib/paths";
import { strings } from "../../strings";
import { principalsOptions, repositoryUseOptions } from "./queries";

interface Step {
  text: string;
  isDone: boolean;
  to: string;
}

/** Four steps that tick themselves off, until all of them are done. Shown to whom both questions are answered. */
export function FirstRun() {
  const text = strings.home.firstRun;
  const repositories = useQuery(repositoryUseOptions);
  const principals = useQuery(principalsOptions);
  if (repositories.data === undefined || principals.data === undefined) return null;
  const [first] = repositories.data.items;
  const steps: Step[] = [
    { text: text.repository, isDone: first !== undefined, to: "/create-repository" },
    { text: text.principal, isDone: principals.data.users + principals.data.roles > 0, to: "/users" },
    { text: text.policy, isDone: principals.data.hasPolicy, to: "/policies" },
    {
      text: text.push,
      isDone: repositories.data.items.some(({ hasImages }) => hasImages),
      to: first === undefined ? "/repositories" : repositoryPath(first.name, { tab: "push" }),
    },
  ];
  if (steps.every(({ isDone }) => isDone)) return null;
  return (
    <Container header={<Header variant="h2">{text.title}</Header>}>
      <SpaceBetween size="s">
        {steps.map((step, index) => (
          <SpaceBetween key={step.to} size="s" direction="horizontal" alignItems="center">
            <StatusIndicator type={step.isDone ? "success" : "pending"}>
              {step.isDone ? text.done : text.open}
            </StatusIndicator>
            <span>
              {index + 1}. {hasScreen(step.to) ? <LinkTo to={step.to}>{step.text}</LinkTo> : step.text}
            </span>
          </SpaceBetween>
        ))}
      </SpaceBetween>
    </Container>
  );
}

/** Whether a screen of this build answers the address. */
function hasScreen(to: string): boolean {
  const start = `/${to.split(/[/?]/)[1] ?? ""}`;
  return SCREENS.some(({ path }) => path === start);
}
