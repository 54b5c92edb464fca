@NullMarked
package io.tidemark.provider.ebs;

import org.jspecify.annotations.NullMarked;
