/** The fakes of clouds against their published models, and against what is documented of the clouds. */
@NullMarked
package io.tidemark.provider.fakecloud.aws;

import org.jspecify.annotations.NullMarked;
