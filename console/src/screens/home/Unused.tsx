import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { Loading } from "../../app/Loading";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { principalsOptions, unusedKeysOptions } from "./queries";

/** Names in a list; the others are counted. */
const SHOWN = 10;

/** Access keys and roles that nobody ever used. */
export function Unused() {
  const text = strings.home.unused;
  const keys = useQuery(unusedKeysOptions);
  const principals = useQuery(principalsOptions);
  return (
    <Container header={<Header variant="h2">{text.title}</Header>}>
      <SpaceBetween size="m">
        <div>
          <Box variant="h3">{text.keys}</Box>
          {keys.isPending ? <Loading /> : null}
          {keys.error === null ? null : <Failure error={keys.error} retry={() => void keys.refetch()} />}
          {keys.data === undefined ? null : (
            <Names names={keys.data.map(({ user, number }) => text.key(user, number))} empty={text.noKeys} />
          )}
        </div>
        <div>
          <Box variant="h3">{text.roles}</Box>
          {principals.isPending ? <Loading /> : null}
          {principals.error === null ? null : (
            <Failure error={principals.error} retry={() => void principals.refetch()} />
          )}
          {principals.data === undefined ? null : (
            <>
              <Names names={principals.data.unusedRoles} empty={text.noRoles} />
              {principals.data.hasMore ? <Box variant="small">{text.partial}</Box> : null}
            </>
          )}
        </div>
      </SpaceBetween>
    </Container>
  );
}

function Names({ names, empty }: { names: string[]; empty: string }) {
  if (names.length === 0) return <Box variant="p">{empty}</Box>;
  return (
    <ul>
      {names.slice(0, SHOWN).map((name) => (
        <li key={name}>{name}</li>
      ))}
      {names.length > SHOWN ? <li>{strings.home.unused.more(names.length - SHOWN)}</li> : null}
    </ul>
  );
}
