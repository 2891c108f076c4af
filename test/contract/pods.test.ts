import { jest } from '@jest/globals';
import { clusterPods } from './cluster-pods.ts';
import { describePods } from './describe-pods.ts';
import { fakePods } from './fake-pods-harness.ts';

// A pod takes seconds, and longer when others are at work.
jest.setTimeout(180_000);

describePods('the fake', fakePods);
describePods('Kubernetes', clusterPods);
