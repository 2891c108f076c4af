import { jest } from '@jest/globals';
import { clusterPods } from './cluster-pods.ts';
import { describePods } from './describe-pods.ts';

jest.setTimeout(180_000);

describePods('Kubernetes', clusterPods);
