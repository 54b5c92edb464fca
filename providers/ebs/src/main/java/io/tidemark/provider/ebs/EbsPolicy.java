package io.tidemark.provider.ebs;

/**
 * The least rights, as a policy of IAM: looking is for all, making for any volume, and only what carries our installation's
 * tag is held, deleted, read or written. Source of names and conditions: AWS Service Authorization Reference, "Amazon EC2" and "Amazon
 * Elastic Block Store"; of keys: EBS User Guide, "Requirements for Amazon EBS encryption", and KMS Developer Guide,
 * "kms:ViaService", which names {@code ec2.REGION.amazonaws.com} for EBS; what EBS direct is called there is in no document we
 * know, so that both names are allowed where nothing is given away by it.
 */
final class EbsPolicy {
    private static final String DOCUMENT = """
            {
              "Version": "2012-10-17",
              "Statement": [
                {
                  "Sid": "TidemarkLooks",
                  "Effect": "Allow",
                  "Action": [
                    "ec2:DescribeVolumes",
                    "ec2:DescribeSnapshots",
                    "ec2:DescribeInstances",
                    "ec2:DescribeLockedSnapshots",
                    "ec2:DescribeSnapshotTierStatus",
                    "ec2:DescribeFastSnapshotRestores",
                    "ec2:ListSnapshotsInRecycleBin"
                  ],
                  "Resource": "*"
                },
                {
                  "Sid": "TidemarkMakes",
                  "Effect": "Allow",
                  "Action": ["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:CreateVolume", "ec2:CopySnapshot"],
                  "Resource": "*"
                },
                {
                  "Sid": "TidemarkTagsWhatItMakes",
                  "Effect": "Allow",
                  "Action": ["ec2:CreateTags"],
                  "Resource": ["arn:aws:ec2:*::snapshot/*", "arn:aws:ec2:*:*:volume/*"],
                  "Condition": {
                    "StringEquals": {
                      "ec2:CreateAction": ["CreateSnapshot", "CreateSnapshots", "CreateVolume", "CopySnapshot", "StartSnapshot"]
                    }
                  }
                },
                {
                  "Sid": "TidemarkHoldsAndDeletesItsOwn",
                  "Effect": "Allow",
                  "Action": ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteSnapshot", "ec2:DeleteVolume"],
                  "Resource": ["arn:aws:ec2:*::snapshot/*", "arn:aws:ec2:*:*:volume/*"],
                  "Condition": {"StringEquals": {"aws:ResourceTag/tidemark:installation": "{installation}"}}
                },
                {
                  "Sid": "TidemarkLocksArchivesAndBringsBackItsOwn",
                  "Effect": "Allow",
                  "Action": [
                    "ec2:LockSnapshot",
                    "ec2:UnlockSnapshot",
                    "ec2:ModifySnapshotTier",
                    "ec2:RestoreSnapshotTier",
                    "ec2:EnableFastSnapshotRestores",
                    "ec2:DisableFastSnapshotRestores",
                    "ec2:RestoreSnapshotFromRecycleBin"
                  ],
                  "Resource": "arn:aws:ec2:*::snapshot/*",
                  "Condition": {"StringEquals": {"aws:ResourceTag/tidemark:installation": "{installation}"}}
                },
                {
                  "Sid": "TidemarkReadsItsOwn",
                  "Effect": "Allow",
                  "Action": ["ebs:ListSnapshotBlocks", "ebs:ListChangedBlocks", "ebs:GetSnapshotBlock"],
                  "Resource": "arn:aws:ec2:*::snapshot/*",
                  "Condition": {"StringEquals": {"aws:ResourceTag/tidemark:installation": "{installation}"}}
                },
                {
                  "Sid": "TidemarkUploadsWhatItTags",
                  "Effect": "Allow",
                  "Action": ["ebs:StartSnapshot"],
                  "Resource": "arn:aws:ec2:*::snapshot/*",
                  "Condition": {"StringEquals": {"aws:RequestTag/tidemark:installation": "{installation}"}}
                },
                {
                  "Sid": "TidemarkWritesItsOwn",
                  "Effect": "Allow",
                  "Action": ["ebs:PutSnapshotBlock", "ebs:CompleteSnapshot"],
                  "Resource": "arn:aws:ec2:*::snapshot/*",
                  "Condition": {"StringEquals": {"aws:ResourceTag/tidemark:installation": "{installation}"}}
                },
                {
                  "Sid": "TidemarkUsesKeysThroughAmazonEbsAlone",
                  "Effect": "Allow",
                  "Action": [
                    "kms:DescribeKey",
                    "kms:Decrypt",
                    "kms:GenerateDataKeyWithoutPlaintext",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo"
                  ],
                  "Resource": "arn:aws:kms:*:*:key/*",
                  "Condition": {"StringLike": {"kms:ViaService": ["ec2.*.amazonaws.com", "ebs.*.amazonaws.com"]}}
                },
                {
                  "Sid": "TidemarkGrantsKeysToVolumesAlone",
                  "Effect": "Allow",
                  "Action": ["kms:CreateGrant"],
                  "Resource": "arn:aws:kms:*:*:key/*",
                  "Condition": {
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                    "StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}
                  }
                }
              ]
            }""";

    private EbsPolicy() {}

    static String of(String installation) {
        return DOCUMENT.replace("{installation}", installation);
    }
}
