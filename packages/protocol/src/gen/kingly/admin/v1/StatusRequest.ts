// Original file: proto/kingly/admin/v1/cluster.proto


export interface StatusRequest {
}

export interface StatusRequest__Output {
}
