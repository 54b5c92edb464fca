/** Amazon EBS volumes and their snapshots, by EC2 and the EBS direct APIs. Nothing outside {@code Ec2Calls} and {@code DirectCalls} asks the SDK. */
@NullMarked
package io.tidemark.provider.ebs;

import org.jspecify.annotations.NullMarked;
