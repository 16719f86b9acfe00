import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useSession } from "../../api/current";
import { pushCommands, type Shell } from "../../lib/push-commands";
import { CodeBlock } from "../../parts/CodeBlock";
import { useUrlState } from "../../parts/useUrlState";
import { strings } from "../../strings";
import type { TabProps } from "./tabs";

const SHELLS: Shell[] = ["posix", "powershell", "podman", "ci"];

/** The commands that push to this repository, for each shell. */
export default function PushTab({ repository }: TabProps) {
  const text = strings.repository.push;
  const { region } = useSession();
  const [shell, setShell] = useUrlState("shell", "posix");
  const target = { endpoint: window.location.origin, region, uri: repository.repositoryUri ?? "" };
  return (
    <SpaceBetween size="m">
      <Box variant="p">{text.intro}</Box>
      <Tabs
        variant="container"
        ariaLabel={text.tab}
        activeTabId={shell}
        onChange={({ detail }) => setShell(detail.activeTabId)}
        tabs={SHELLS.map((id) => ({
          id,
          label: text.shells[id],
          content: (
            <CodeBlock
              code={pushCommands(target, id)}
              label={text.shells[id]}
              copyLabel={text.copy(text.shells[id])}
            />
          ),
        }))}
      />
    </SpaceBetween>
  );
}
