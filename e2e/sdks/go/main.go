// Walk-through B with the AWS SDK for Go v2, whatever the default credential chain finds. Prints one JSON
// object a step; the story in test_sdks.py checks them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func step(name string, value any) {
	line, err := json.Marshal(map[string]any{"step": name, "value": value})
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	repository := os.Args[1]
	forbidden := os.Args[2]
	configuration, err := config.LoadDefaultConfig(ctx)
	check(err)

	identity, err := sts.NewFromConfig(configuration).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	check(err)
	step("identity", aws.ToString(identity.Arn))

	registry := ecr.NewFromConfig(configuration)
	token, err := registry.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	check(err)
	step("token", map[string]any{
		"authorizationToken": aws.ToString(token.AuthorizationData[0].AuthorizationToken),
		"proxyEndpoint":      aws.ToString(token.AuthorizationData[0].ProxyEndpoint),
	})

	images := ecr.NewListImagesPaginator(registry, &ecr.ListImagesInput{RepositoryName: &repository})
	tags := []string{}
	for images.HasMorePages() {
		page, err := images.NextPage(ctx)
		check(err)
		for _, image := range page.ImageIds {
			tags = append(tags, aws.ToString(image.ImageTag))
		}
	}
	step("tags", tags)

	_, err = registry.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{repository + "-missing"}})
	var missing *types.RepositoryNotFoundException
	step("missing", errors.As(err, &missing))

	_, err = registry.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{forbidden}})
	var denied smithy.APIError
	if !errors.As(err, &denied) {
		check(fmt.Errorf("the call was not refused: %w", err))
	}
	step("denied", map[string]string{"code": denied.ErrorCode(), "message": denied.ErrorMessage()})
}
