// Walk-through B with the AWS SDK for Java v2, whatever the default credential chain finds. Prints one
// JSON object a step; the story in test_sdks.py checks them.

import java.util.List;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.services.ecr.model.ImageIdentifier;
import software.amazon.awssdk.services.ecr.model.RepositoryNotFoundException;
import software.amazon.awssdk.services.sts.StsClient;

public final class Main {
    public static void main(String[] arguments) {
        String repository = arguments[0];
        String forbidden = arguments[1];
        try (StsClient sts = StsClient.create()) {
            step("identity", quoted(sts.getCallerIdentity().arn()));
        }
        try (EcrClient registry = EcrClient.create()) {
            AuthorizationData token = registry.getAuthorizationToken().authorizationData().get(0);
            step("token", "{\"authorizationToken\":" + quoted(token.authorizationToken())
                    + ",\"proxyEndpoint\":" + quoted(token.proxyEndpoint()) + "}");

            List<String> tags = registry.listImagesPaginator(request -> request.repositoryName(repository))
                    .imageIds().stream().map(ImageIdentifier::imageTag).collect(Collectors.toList());
            step("tags", tags.stream().map(Main::quoted).collect(Collectors.joining(",", "[", "]")));

            boolean missing = false;
            try {
                registry.describeRepositories(request -> request.repositoryNames(repository + "-missing"));
            } catch (RepositoryNotFoundException error) {
                missing = true;
            }
            step("missing", Boolean.toString(missing));

            try {
                registry.describeRepositories(request -> request.repositoryNames(forbidden));
                throw new IllegalStateException("the call was not refused");
            } catch (AwsServiceException error) {
                step("denied", "{\"code\":" + quoted(error.awsErrorDetails().errorCode())
                        + ",\"message\":" + quoted(error.awsErrorDetails().errorMessage()) + "}");
            }
        }
    }

    private static void step(String name, String value) {
        System.out.println("{\"step\":" + quoted(name) + ",\"value\":" + value + "}");
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }
}
