// Walk-through B with the AWS SDK for JavaScript v3, whatever the default credential chain finds. Prints
// one JSON object a step; the story in test_sdks.py checks them.
import {
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  RepositoryNotFoundException,
  paginateListImages,
} from "@aws-sdk/client-ecr";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const [repository, forbidden] = process.argv.slice(2);
const step = (name, value) => console.log(JSON.stringify({ step: name, value }));
const failure = (call) => call.then(() => { throw new Error("the call was not refused"); }, (error) => error);

const identity = await new STSClient().send(new GetCallerIdentityCommand());
step("identity", identity.Arn);

const client = new ECRClient();
const { authorizationData } = await client.send(new GetAuthorizationTokenCommand());
const { authorizationToken, proxyEndpoint } = authorizationData[0];
step("token", { authorizationToken, proxyEndpoint });

const tags = [];
for await (const page of paginateListImages({ client }, { repositoryName: repository })) {
  tags.push(...page.imageIds.map((image) => image.imageTag));
}
step("tags", tags);

const describe = (name) => client.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
step("missing", (await failure(describe(`${repository}-missing`))) instanceof RepositoryNotFoundException);

const denied = await failure(describe(forbidden));
step("denied", { code: denied.name, message: denied.message });
