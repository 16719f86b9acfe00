/** What users sign in and sign with: access keys, passwords, MFA devices and the kinds that are only kept. */

import {
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateVirtualMFADeviceCommand,
  DeactivateMFADeviceCommand,
  DeleteAccessKeyCommand,
  DeleteLoginProfileCommand,
  DeleteSSHPublicKeyCommand,
  DeleteServiceSpecificCredentialCommand,
  DeleteSigningCertificateCommand,
  DeleteVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  GetAccessKeyLastUsedCommand,
  GetLoginProfileCommand,
  ListAccessKeysCommand,
  ListMFADevicesCommand,
  ListSSHPublicKeysCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ResyncMFADeviceCommand,
  UpdateAccessKeyCommand,
  UpdateLoginProfileCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const createAccessKey = call(CreateAccessKeyCommand);
export const createLoginProfile = call(CreateLoginProfileCommand);
export const createVirtualMFADevice = call(CreateVirtualMFADeviceCommand);
export const deactivateMFADevice = call(DeactivateMFADeviceCommand);
export const deleteAccessKey = call(DeleteAccessKeyCommand);
export const deleteLoginProfile = call(DeleteLoginProfileCommand);
export const deleteSSHPublicKey = call(DeleteSSHPublicKeyCommand);
export const deleteServiceSpecificCredential = call(DeleteServiceSpecificCredentialCommand);
export const deleteSigningCertificate = call(DeleteSigningCertificateCommand);
export const deleteVirtualMFADevice = call(DeleteVirtualMFADeviceCommand);
export const enableMFADevice = call(EnableMFADeviceCommand);
export const getAccessKeyLastUsed = call(GetAccessKeyLastUsedCommand);
export const getLoginProfile = call(GetLoginProfileCommand);
export const listAccessKeys = call(ListAccessKeysCommand);
export const listMFADevices = call(ListMFADevicesCommand);
export const listSSHPublicKeys = call(ListSSHPublicKeysCommand);
export const listServiceSpecificCredentials = call(ListServiceSpecificCredentialsCommand);
export const listSigningCertificates = call(ListSigningCertificatesCommand);
export const resyncMFADevice = call(ResyncMFADeviceCommand);
export const updateAccessKey = call(UpdateAccessKeyCommand);
export const updateLoginProfile = call(UpdateLoginProfileCommand);
