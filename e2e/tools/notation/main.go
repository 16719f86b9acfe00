// Signs and verifies an image with the Notary Project's library, which is what the `notation` command is made of; the command
// itself is in no package registry.
//
//	notation sign KEY.pem CERTIFICATE.pem REFERENCE
//	notation verify TRUST-STORE-FOLDER REFERENCE
//
// Logins are those of the docker configuration. The registry speaks plain HTTP.
package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/dir"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	ctx := context.Background()
	switch {
	case len(arguments) == 4 && arguments[0] == "sign":
		return sign(ctx, arguments[1], arguments[2], arguments[3])
	case len(arguments) == 3 && arguments[0] == "verify":
		return verify(ctx, arguments[1], arguments[2])
	}
	return fmt.Errorf("usage: sign KEY CERTIFICATE REFERENCE | verify FOLDER REFERENCE")
}

func repository(reference string) (registry.Repository, error) {
	repository, err := remote.NewRepository(reference)
	if err != nil {
		return nil, err
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = true
	repository.Client = &auth.Client{Credential: credentials.Credential(store)}
	return registry.NewRepository(repository), nil
}

func sign(ctx context.Context, keyFile, certificateFile, reference string) error {
	keyBytes, err := decoded(keyFile)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBytes)
	if err != nil {
		return err
	}
	certificateBytes, err := decoded(certificateFile)
	if err != nil {
		return err
	}
	certificate, err := x509.ParseCertificate(certificateBytes)
	if err != nil {
		return err
	}
	with, err := signer.NewGenericSigner(key.(crypto.PrivateKey), []*x509.Certificate{certificate})
	if err != nil {
		return err
	}
	repository, err := repository(reference)
	if err != nil {
		return err
	}
	signed, err := notation.Sign(ctx, with, repository, notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: cose.MediaTypeEnvelope},
		ArtifactReference: reference,
	})
	if err != nil {
		return err
	}
	fmt.Println("Successfully signed:", signed.Digest)
	return nil
}

func verify(ctx context.Context, folder, reference string) error {
	policy := trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{{
		Name:                  "all",
		RegistryScopes:        []string{"*"},
		SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: trustpolicy.LevelStrict.Name},
		TrustStores:           []string{"ca:trusted"},
		TrustedIdentities:     []string{"*"},
	}}}
	dir.UserConfigDir = folder
	by, err := verifier.New(&policy, truststore.NewX509TrustStore(dir.ConfigFS()), nil)
	if err != nil {
		return err
	}
	repository, err := repository(reference)
	if err != nil {
		return err
	}
	target, _, err := notation.Verify(ctx, by, repository, notation.VerifyOptions{
		ArtifactReference:    reference,
		MaxSignatureAttempts: 50,
	})
	if err != nil {
		return err
	}
	fmt.Println("Successfully verified:", target.Digest)
	return nil
}

func decoded(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", file)
	}
	return block.Bytes, nil
}
