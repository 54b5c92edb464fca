package io.tidemark.provider.ebs;

/**
 * The least rights, as a policy of IAM: looking is for all, making for any volume, and only what carries our installation's
 * tag is held, deleted, read or written. Source of names and conditions: AWS Service Authorization Reference, "Amazon EC2" and "Amazon
 * Elastic Block Store".
 */
final class EbsPolicy {
    private static final String DOCUMENT = """
            {
              "Version": "2012-10-17",
              "Statement": [
                {
                  "Sid": "TidemarkLooks",
                  "Effect": "Allow",
                  "Action": ["ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeInstances"],
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
                }
              ]
            }""";

    private EbsPolicy() {}

    static String of(String installation) {
        return DOCUMENT.replace("{installation}", installation);
    }
}
