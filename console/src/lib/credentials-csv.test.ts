import { describe, expect, it } from "vitest";
import { credentialsCsv, credentialsFileName } from "./credentials-csv";

describe("credentials file", () => {
  it("has the columns that the AWS CLI imports", () => {
    const text = credentialsCsv([
      { userName: "alice", accessKeyId: "AKIAEXAMPLE", secretAccessKey: "a/b+c" },
    ]);
    expect(text).toBe(
      "User name,Password,Access key ID,Secret access key,Console sign-in URL\r\n" +
        "alice,,AKIAEXAMPLE,a/b+c,\r\n",
    );
  });

  it("quotes what would end a field", () => {
    const text = credentialsCsv([{ userName: "a,b", password: 'x"y\nz' }]);
    expect(text.split("\r\n")[1]).toBe('"a,b","x""y\nz",,,');
  });

  it("names the file after the user without leaving the folder", () => {
    expect(credentialsFileName("alice@example.com")).toBe("alice_example.com_credentials.csv");
    expect(credentialsFileName("../x")).toBe(".._x_credentials.csv");
  });
});
