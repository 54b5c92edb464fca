/** Amazon: EC2's snapshots and volumes, and EBS direct. */
@NullMarked
package io.tidemark.provider.fakecloud.aws;

import org.jspecify.annotations.NullMarked;
