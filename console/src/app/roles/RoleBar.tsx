import { useSession } from "../../api/current";
import { textOn } from "../../lib/recent-roles";
import { strings } from "../../strings";

/** Says which role the page acts as, in the role's color. */
export function RoleBar() {
  const { switched, arn } = useSession();
  if (switched === undefined) return null;
  const style = {
    background: `#${switched.color}`,
    color: textOn(switched.color),
    padding: "4px 20px",
    fontWeight: 700,
    overflowWrap: "anywhere" as const,
  };
  return (
    <div role="status" style={style} title={arn}>
      {strings.switchRole.acting(switched.displayName)}
    </div>
  );
}
